# GitHub's workflows sign in without a key: their own token is exchanged for one of the updater. Only where github_repository says which.

locals {
  github = var.github_repository == null ? 0 : 1
}

resource "google_iam_workload_identity_pool" "github" {
  count                     = local.github
  project                   = local.project
  workload_identity_pool_id = "user-info-updater-github"
  display_name              = "GitHub"

  depends_on = [google_project_service.services]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  count                              = local.github
  project                            = local.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.github[0].workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  # Any repository can ask GitHub for a token: only this one's default branch gets further.
  attribute_condition = "assertion.repository == '${var.github_repository}' && assertion.ref == 'refs/heads/${var.github_branch}'"
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account_iam_member" "github" {
  count              = local.github
  service_account_id = google_service_account.updater.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github[0].name}/attribute.repository/${var.github_repository}"
}

output "workload_identity_provider" {
  description = "The repository variable GCP_WORKLOAD_IDENTITY_PROVIDER; GCP_SERVICE_ACCOUNT is the account."
  value       = one(google_iam_workload_identity_pool_provider.github[*].name)
}
