/** The one user of the endpoint: it asks nobody who they are. */
export const USER_EMAIL = "local@localhost";
