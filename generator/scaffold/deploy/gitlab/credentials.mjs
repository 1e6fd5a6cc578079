// Prints the configuration by which Google's libraries exchange GitLab's token in .google.token for one of their own:
// https://google.aip.dev/auth/4117
const {
  GCP_WORKLOAD_IDENTITY_PROVIDER: provider,
  GCP_SERVICE_ACCOUNT: account,
  CI_PROJECT_DIR: folder,
} = process.env;

console.log(
  JSON.stringify({
    type: "external_account",
    audience: `//iam.googleapis.com/${provider}`,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: "https://sts.googleapis.com/v1/token",
    credential_source: { file: `${folder}/.google.token` },
    service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${account}:generateAccessToken`,
  }),
);
