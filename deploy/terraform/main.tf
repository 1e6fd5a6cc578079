# Where the tables live, and the account that updates them.

locals {
  dataform = jsondecode(file("${path.module}/../../dataform.json"))
  entities = jsondecode(file("${path.module}/../../entities.json")).entities

  project  = coalesce(var.project, local.dataform.defaultDatabase)
  location = coalesce(var.location, try(local.dataform.defaultLocation, "US"))
  named_datasets = concat(
    [local.dataform.defaultSchema, try(local.dataform.assertionSchema, local.dataform.defaultSchema)],
    [for entity in local.entities : try(entity.dataset, local.dataform.defaultSchema)],
  )
  # Those of the environments that schedule.json names, where a suffix makes them datasets of their own; and where they have a project of their own.
  suffixes          = compact([for name in keys(local.named) : try(local.overrides.environments[name].schemaSuffix, "")])
  suffixed_datasets = [for pair in setproduct(local.named_datasets, local.suffixes) : "${pair[0]}_${pair[1]}"]
  datasets          = var.datasets == null ? toset(concat(local.named_datasets, local.suffixed_datasets)) : var.datasets

  projects = toset([
    for name in keys(local.named) : local.overrides.environments[name].defaultDatabase
    if try(local.overrides.environments[name].defaultDatabase, local.project) != local.project
  ])
  all_datasets = merge(
    { for dataset in local.datasets : dataset => { project = local.project, dataset = dataset } },
    {
      for pair in setproduct(local.projects, var.datasets == null ? toset(local.named_datasets) : var.datasets) :
      "${pair[0]}.${pair[1]}" => { project = pair[0], dataset = pair[1] }
    }
  )

  services = toset(concat(
    # The third sets roles in the project; the fifth lends the account to whoever acts as it: GitHub, GitLab, Kubernetes, Dataform, Cloud Scheduler.
    ["serviceusage.googleapis.com", "bigquery.googleapis.com", "cloudresourcemanager.googleapis.com", "iam.googleapis.com", "iamcredentials.googleapis.com"],
    ["sts.googleapis.com", "monitoring.googleapis.com", "logging.googleapis.com"],
    local.workflows == 0 ? [] : ["dataform.googleapis.com", "secretmanager.googleapis.com"],
    var.cloud_run == null ? [] : ["run.googleapis.com", "cloudscheduler.googleapis.com"],
    var.workflows_region == null ? [] : ["workflows.googleapis.com", "workflowexecutions.googleapis.com", "cloudscheduler.googleapis.com"],
  ))

  # The account that schedule.json names, else one of this name.
  account_id = try(split("@", local.schedule.serviceAccount)[0], "user-info-updater")

  # With "cursor": "commit" a run reads what was committed since the last merge by time travel: the time between two merges, and a day
  # in which somebody may see that they have stopped.
  hours = { second = 1 / 3600, minute = 1 / 60, hour = 1, day = 24 }
  merge_hours = [
    for entity in local.entities : try(
      tonumber(split(" ", entity.mergeEvery)[0]) * local.hours[trimsuffix(split(" ", entity.mergeEvery)[1], "s")], 0
    ) if try(entity.cursor, "ingestTimestamp") == "commit"
  ]
  needed_time_travel_hours = max(48, [for hours in local.merge_hours : hours + 24]...)
}

# What the project must have switched on; it stays on when this goes.
resource "google_project_service" "services" {
  for_each           = local.services
  project            = local.project
  service            = each.value
  disable_on_destroy = false
}

# BigQuery must be on in an environment's own project.
resource "google_bigquery_dataset" "datasets" {
  for_each   = local.all_datasets
  project    = each.value.project
  dataset_id = each.value.dataset
  location   = local.location

  # A merge rewrites the final table, and what it replaces stays for as long as time travel lasts. Billed by its physical bytes such a table
  # has been seen at 30 times its size; billed by its logical bytes, each row counts once and time travel costs nothing.
  storage_billing_model = "LOGICAL"
  max_time_travel_hours = tostring(var.time_travel_hours)

  depends_on = [google_project_service.services]

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = var.time_travel_hours >= local.needed_time_travel_hours
      error_message = "time_travel_hours is ${var.time_travel_hours}, but entities.json asks for runs that read back ${local.needed_time_travel_hours} hours: raise it, at most to 168, or merge more often."
    }
  }
}

# Datasets that `npm run init` has made before: named here once, Terraform takes them over instead of failing on them.
import {
  for_each = setintersection(var.existing_datasets, keys(local.all_datasets))
  to       = google_bigquery_dataset.datasets[each.value]
  id       = "projects/${local.all_datasets[each.value].project}/datasets/${local.all_datasets[each.value].dataset}"
}

resource "google_service_account" "updater" {
  project      = local.project
  account_id   = local.account_id
  display_name = "Updates the final tables"

  depends_on = [google_project_service.services]

  lifecycle {
    precondition {
      condition     = length(setsubtract(var.existing_datasets, keys(local.all_datasets))) == 0
      error_message = "existing_datasets has ${join(", ", setsubtract(var.existing_datasets, keys(local.all_datasets)))}, and this makes ${join(", ", keys(local.all_datasets))}: name only those that it would make."
    }

    precondition {
      condition     = try(local.schedule.serviceAccount, "${local.account_id}@${local.project}.iam.gserviceaccount.com") == "${local.account_id}@${local.project}.iam.gserviceaccount.com"
      error_message = "schedule.json: serviceAccount is not of ${local.project}: write ${local.account_id}@${local.project}.iam.gserviceaccount.com, which this makes."
    }
  }
}

# Tables and rows in these datasets alone; jobs can be run only in a project.
resource "google_bigquery_dataset_iam_member" "updater" {
  for_each   = google_bigquery_dataset.datasets
  project    = each.value.project
  dataset_id = each.value.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.updater.member
}

resource "google_project_iam_member" "updater" {
  project = local.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.updater.member

  depends_on = [google_project_service.services]
}

# Runs of an environment are billed to its own project.
resource "google_project_iam_member" "elsewhere" {
  for_each = local.projects
  project  = each.value
  role     = "roles/bigquery.jobUser"
  member   = google_service_account.updater.member
}

resource "google_service_account_iam_member" "kubernetes" {
  count              = var.kubernetes_service_account == null ? 0 : 1
  service_account_id = google_service_account.updater.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${local.project}.svc.id.goog[${var.kubernetes_service_account}]"
}

output "service_account" {
  description = "The account that updates the tables."
  value       = google_service_account.updater.email
}
