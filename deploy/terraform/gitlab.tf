# GitLab's pipelines sign in without a key, as GitHub's workflows do. Only where gitlab_project says which.

locals {
  gitlab = var.gitlab_project == null ? 0 : 1
}

resource "google_iam_workload_identity_pool" "gitlab" {
  count                     = local.gitlab
  project                   = local.project
  workload_identity_pool_id = "user-info-updater-gitlab"
  display_name              = "GitLab"

  depends_on = [google_project_service.services]
}

resource "google_iam_workload_identity_pool_provider" "gitlab" {
  count                              = local.gitlab
  project                            = local.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.gitlab[0].workload_identity_pool_id
  workload_identity_pool_provider_id = "gitlab"
  # Any project can ask GitLab for a token: only this one's default branch gets further.
  attribute_condition = "assertion.project_path == '${var.gitlab_project}' && assertion.ref_type == 'branch' && assertion.ref == '${var.gitlab_branch}'"
  attribute_mapping = {
    "google.subject"    = "assertion.sub"
    "attribute.project" = "assertion.project_path"
  }

  oidc {
    issuer_uri = var.gitlab_url
  }
}

resource "google_service_account_iam_member" "gitlab" {
  count              = local.gitlab
  service_account_id = google_service_account.updater.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.gitlab[0].name}/attribute.project/${var.gitlab_project}"
}

output "gitlab_workload_identity_provider" {
  description = "GitLab's variable GCP_WORKLOAD_IDENTITY_PROVIDER; GCP_SERVICE_ACCOUNT is the account."
  value       = one(google_iam_workload_identity_pool_provider.gitlab[*].name)
}
