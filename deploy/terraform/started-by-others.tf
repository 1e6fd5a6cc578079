# The runs of schedule.json and of its environments, or the usual ones, started by Cloud Scheduler: as Cloud Run jobs of the image, where cloud_run says
# where, or as managed Dataform's workflows by Cloud Workflows, which waits for their end, where workflows_region does. And what Airflow needs, to
# start those.

locals {
  # The image has the code of one branch: an environment of another one has an image of its own.
  images = var.cloud_run == null ? {} : {
    for place, text in local.places : place => place == "" ? var.cloud_run.image : lookup(
      var.cloud_run.images, place, jsondecode(text).branch == local.branch ? var.cloud_run.image : ""
    )
  }
  image_runs = { for name, same in { for one in local.all_runs : one.name => one... if var.cloud_run != null } : name => {
    image = local.images[same[0].place]
    cron  = jsondecode(same[0].run).cron
    args = compact([
      same[0].place == "" ? "" : "--env=${same[0].place}",
      join("", [for tags in [join(",", try(jsondecode(same[0].run).tags, []))] : "--tags=${tags}" if tags != ""]),
      join("", [for vars in [join(",", [for variable, value in try(jsondecode(same[0].run).vars, {}) : "${variable}=${value}"])] : "--vars=${vars}" if vars != ""]),
    ])
  } }
  workflows_runs = { for name, run in local.runs : name => run.cron if var.workflows_region != null }
  scheduled      = var.cloud_run == null && var.workflows_region == null ? 0 : 1
}

# Who may start managed Dataform's workflows.
locals {
  dataform_starters = merge(
    var.workflows_region == null ? {} : { workflows = one(google_service_account.starter[*].member) },
    var.composer_service_account == null ? {} : { composer = "serviceAccount:${var.composer_service_account}" },
  )
}

# It starts runs, and may do nothing in them.
resource "google_service_account" "starter" {
  count        = local.scheduled
  project      = local.project
  account_id   = "user-info-starter"
  display_name = "Starts the runs of ${local.account_id}"

  depends_on = [google_project_service.services]
}

resource "google_cloud_run_v2_job" "runs" {
  for_each            = local.image_runs
  project             = local.project
  location            = var.cloud_run.region
  name                = "user-info-${each.key}"
  deletion_protection = false

  template {
    parallelism = 1
    task_count  = 1

    template {
      service_account = google_service_account.updater.email
      timeout         = "3300s"
      # A run that lost against another one retries by itself; this is for a machine that goes away.
      max_retries = 2

      containers {
        image = each.value.image
        args  = each.value.args

        resources {
          limits = { cpu = "1", memory = "1Gi" }
        }
      }
    }
  }

  depends_on = [google_project_service.services]

  lifecycle {
    precondition {
      condition     = local.workflows == 0 || !local.starts_runs
      error_message = "cloud_run: Cloud Run starts the runs of schedule.json, so write \"startedBy\": \"others\" there, or they run twice."
    }

    precondition {
      condition     = each.value.image != ""
      error_message = "cloud_run: the image has the code of ${local.branch}, and ${each.key} is of another branch: name an image of that, as images = { <environment> = \"…\" }."
    }

    # https://cloud.google.com/run/docs/create-jobs
    precondition {
      condition     = can(regex("^[a-z0-9-]{1,53}$", each.key)) && !endswith(each.key, "-")
      error_message = "cloud_run: ${each.key} is no name of a job: at most 53 small letters, digits and dashes, with the environment's; call the run or the environment otherwise."
    }

    precondition {
      condition     = var.workflows_region == null && var.composer_service_account == null
      error_message = "cloud_run beside workflows_region or composer_service_account: the runs would be started twice, give one of them."
    }
  }
}

resource "google_cloud_run_v2_job_iam_member" "starter" {
  for_each = google_cloud_run_v2_job.runs
  project  = local.project
  location = each.value.location
  name     = each.value.name
  role     = "roles/run.invoker"
  member   = google_service_account.starter[0].member
}

resource "google_cloud_scheduler_job" "cloud_run" {
  for_each  = google_cloud_run_v2_job.runs
  project   = local.project
  region    = var.cloud_run.region
  name      = each.value.name
  schedule  = local.image_runs[each.key].cron
  time_zone = local.time_zone

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${each.value.id}:run"

    oauth_token {
      service_account_email = google_service_account.starter[0].email
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.starter]
}

resource "google_workflows_workflow" "updater" {
  count               = var.workflows_region == null ? 0 : 1
  project             = local.project
  region              = var.workflows_region
  name                = "user-info-updater"
  service_account     = google_service_account.starter[0].email
  source_contents     = file("${path.module}/../workflows/update.yaml")
  deletion_protection = false

  depends_on = [google_project_service.services]
}

resource "google_project_iam_member" "starter" {
  count   = var.workflows_region == null ? 0 : 1
  project = local.project
  role    = "roles/workflows.invoker"
  member  = google_service_account.starter[0].member
}

resource "google_cloud_scheduler_job" "workflows" {
  for_each  = local.workflows_runs
  project   = local.project
  region    = var.workflows_region
  name      = "user-info-workflow-${each.key}"
  schedule  = each.value
  time_zone = local.time_zone

  http_target {
    http_method = "POST"
    uri         = "https://workflowexecutions.googleapis.com/v1/${google_workflows_workflow.updater[0].id}/executions"
    headers     = { "Content-Type" = "application/json" }
    body = base64encode(jsonencode({
      argument = jsonencode({ repository = google_dataform_repository.updater[0].id, workflow = each.key })
    }))

    oauth_token {
      service_account_email = google_service_account.starter[0].email
    }
  }

  depends_on = [google_project_iam_member.starter]
}

resource "google_dataform_repository_iam_member" "starters" {
  for_each   = local.workflows == 0 ? {} : local.dataform_starters
  provider   = google-beta
  project    = local.project
  region     = local.schedule.region
  repository = google_dataform_repository.updater[0].name
  role       = "roles/dataform.editor"
  member     = each.value
}

# Dataform lets nobody start a run as an account that they may not act as: https://cloud.google.com/dataform/docs/strict-act-as-mode
resource "google_service_account_iam_member" "starters" {
  for_each           = local.dataform_starters
  service_account_id = google_service_account.updater.name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value

  lifecycle {
    precondition {
      condition     = local.workflows == 1 && !local.starts_runs
      error_message = "workflows_region and composer_service_account: others start the runs of schedule.json, so write that file, with \"startedBy\": \"others\", or they run twice."
    }

    precondition {
      condition     = var.workflows_region == null || var.composer_service_account == null
      error_message = "workflows_region beside composer_service_account: the runs would be started twice, give one of them."
    }
  }
}
