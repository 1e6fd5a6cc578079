# Scheduled Dataform workflows: only where git_url says where the project is.

locals {
  workflows = var.git_url == null ? 0 : 1
}

# Dataform's own account: it reads the repository and acts as the updater.
resource "google_project_service_identity" "dataform" {
  count    = local.workflows
  provider = google-beta
  project  = local.project
  service  = "dataform.googleapis.com"
}

resource "google_service_account_iam_member" "dataform" {
  for_each           = local.workflows == 0 ? toset([]) : toset(["roles/iam.serviceAccountTokenCreator", "roles/iam.serviceAccountUser"])
  service_account_id = google_service_account.updater.name
  role               = each.value
  member             = google_project_service_identity.dataform[0].member
}

resource "google_secret_manager_secret_iam_member" "dataform" {
  count     = local.workflows
  project   = local.project
  secret_id = var.git_token_secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_project_service_identity.dataform[0].member
}

resource "google_dataform_repository" "updater" {
  count           = local.workflows
  provider        = google-beta
  project         = local.project
  region          = var.region
  name            = "user-info-updater"
  service_account = google_service_account.updater.email

  git_remote_settings {
    url                                 = var.git_url
    default_branch                      = var.git_branch
    authentication_token_secret_version = "projects/${local.project}/secrets/${var.git_token_secret}/versions/latest"
  }

  lifecycle {
    precondition {
      condition     = var.region != null && var.git_token_secret != null
      error_message = "With git_url, set region and git_token_secret as well."
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.dataform]
}

# Compiles the branch a few minutes before each run.
resource "google_dataform_repository_release_config" "updater" {
  count         = local.workflows
  provider      = google-beta
  project       = local.project
  region        = var.region
  repository    = google_dataform_repository.updater[0].name
  name          = "production"
  git_commitish = var.git_branch
  cron_schedule = var.compile_schedule
  time_zone     = "Etc/UTC"

  code_compilation_config {
    default_database = local.project
    default_location = local.location
  }
}

resource "google_dataform_repository_workflow_config" "updater" {
  count          = local.workflows
  provider       = google-beta
  project        = local.project
  region         = var.region
  repository     = google_dataform_repository.updater[0].name
  name           = "update"
  release_config = google_dataform_repository_release_config.updater[0].id
  cron_schedule  = var.schedule
  time_zone      = "Etc/UTC"

  invocation_config {
    service_account = google_service_account.updater.email
  }

  depends_on = [google_service_account_iam_member.dataform]
}
