# Scheduled Dataform workflows, as schedule.json describes them; `npm run schedule` makes the same. Only where there is that file.

locals {
  schedule_file = "${path.module}/../../schedule.json"
  described     = fileexists(local.schedule_file) ? [jsondecode(file(local.schedule_file))] : []
  schedule      = one(local.described)
  workflows     = length(local.described)

  branch    = try(local.schedule.git.branch, "main")
  time_zone = try(local.schedule.timeZone, "Etc/UTC")
  secret    = try(local.schedule.git.tokenSecret, null)
  # Whoever else starts the runs, such as Airflow: then they have no cron schedule here.
  starts_runs = try(local.schedule.startedBy, "dataform") == "dataform"

  # `npm run generate` decides the usual runs from entities.json. What is null, or lacks what every run has, is read as if it were not there, and
  # refused below: Terraform would refuse it in words of its own. JSON, since each run and each place may have other members.
  usual_runs = jsonencode(jsondecode(file("${path.module}/../../includes/usual-runs.json")).runs)
  is_readable = local.workflows == 0 || (
    !strcontains(replace(jsonencode(local.schedule), "/\"(\\\\.|[^\"\\\\])*\"/", ""), "null") &&
    can([
      for own in concat([local.schedule], try(values(local.schedule.environments), [])) :
      [for run in try(own.runs, []) : [run.name, run.cron, join(",", try(run.tags, [])), keys(try(run.vars, {}))]]
    ])
  )
  own_runs = local.is_readable ? try(jsonencode(local.schedule.runs), local.usual_runs) : local.usual_runs
  named    = jsondecode(local.is_readable ? try(jsonencode(local.schedule.environments), "{}") : "{}")

  # The project's own place, and the environments of entities.json that schedule.json names.
  overrides    = jsondecode(file("${path.module}/../../entities.json"))
  environments = try(keys(local.overrides.environments), [])
  places = merge(
    { "" = jsonencode({ prefix = "", branch = local.branch, overrides = {}, runs = jsondecode(local.own_runs) }) },
    {
      for name, own in local.named : name => jsonencode({
        prefix    = "${name}-"
        branch    = try(own.branch, local.branch)
        overrides = try(local.overrides.environments[name], {})
        runs      = try(own.runs, jsondecode(local.own_runs))
      })
    }
  )
  all_runs = flatten([
    for place, text in local.places : [
      for run in jsondecode(text).runs : {
        name  = "${jsondecode(text).prefix}${run.name}"
        place = place
        run   = jsonencode(run)
      }
      # An environment that only reads the updates erases none.
      if !(contains(try(run.tags, []), "erase") && can(coalesce(try(jsondecode(text).overrides.schemaSuffix, null), try(jsondecode(text).overrides.tablePrefix, null))))
    ]
  ])
  # Of two of one name the first, and a refusal below.
  runs = { for name, same in { for one in local.all_runs : one.name => one... if local.workflows == 1 } : name => {
    place = same[0].place
    cron  = jsondecode(same[0].run).cron
    tags  = try(jsondecode(same[0].run).tags, [])
    vars  = try(jsondecode(same[0].run).vars, {})
    # Run variables belong to a release, so runs with the same ones share it.
    release = replace(lower(join("", concat([same[0].place == "" ? "production" : same[0].place], [
      for variable, value in try(jsondecode(same[0].run).vars, {}) : "-${variable}-${value}"
    ]))), "/[^a-z0-9-]/", "-")
  } }
  releases = { for run in local.runs : run.release => { place = run.place, vars = run.vars }... }
  # As many as local.runs, where no two are called the same.
  run_names = [for one in local.all_runs : lower(one.name)]
}

# Dataform's own account: it reads the repository and acts as the updater.
resource "google_project_service_identity" "dataform" {
  count    = local.workflows
  provider = google-beta
  project  = local.project
  service  = "dataform.googleapis.com"

  depends_on = [google_project_service.services]
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
  secret_id = local.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_project_service_identity.dataform[0].member
}

resource "google_dataform_repository" "updater" {
  count           = local.workflows
  provider        = google-beta
  project         = local.project
  region          = local.schedule.region
  name            = try(local.schedule.repository, "user-info-updater")
  service_account = google_service_account.updater.email

  git_remote_settings {
    url                                 = local.schedule.git.url
    default_branch                      = local.branch
    authentication_token_secret_version = "projects/${local.project}/secrets/${local.secret}/versions/latest"
  }

  depends_on = [google_secret_manager_secret_iam_member.dataform]

  # `npm run schedule -- --plan` refuses the same, and says where.
  lifecycle {
    precondition {
      condition     = local.is_readable
      error_message = "schedule.json: nothing in it is null, and each run has a name, a cron schedule, and if wanted a list of tags and an object of vars: `npm run schedule -- --plan` says what does not fit, and where."
    }

    precondition {
      condition     = alltrue([for name in keys(local.places) : name == "" || contains(local.environments, name)])
      error_message = "schedule.json: environments has ${join(", ", setsubtract(keys(local.places), concat([""], local.environments)))}, and entities.json ${join(", ", local.environments)}: name one of those."
    }

    precondition {
      condition     = !contains([for name in keys(local.places) : lower(name)], "production")
      error_message = "schedule.json: an environment is called production, as the project's own releases are: give it another name in entities.json."
    }

    precondition {
      condition     = length(distinct(local.run_names)) == length(local.run_names)
      error_message = "schedule.json: two runs would be the same workflow: give one of them another name than ${join(", ", [for name in distinct(local.run_names) : name if length([for other in local.run_names : other if other == name]) > 1])}."
    }

    precondition {
      condition     = alltrue([for uses in values(local.releases) : length(distinct([for use in uses : jsonencode(use)])) == 1])
      error_message = "schedule.json: runs with different vars, or of different environments, would share a release: ${join(", ", [for name, uses in local.releases : name if length(distinct([for use in uses : jsonencode(use)])) > 1])}; let them differ by letters or digits."
    }
  }
}

# Compiles the branch a few minutes before each run.
resource "google_dataform_repository_release_config" "updater" {
  for_each      = local.releases
  provider      = google-beta
  project       = local.project
  region        = local.schedule.region
  repository    = google_dataform_repository.updater[0].name
  name          = each.key
  git_commitish = jsondecode(local.places[each.value[0].place]).branch
  cron_schedule = try(local.schedule.compile, "0 * * * *")
  time_zone     = local.time_zone

  code_compilation_config {
    default_database = try(jsondecode(local.places[each.value[0].place]).overrides.defaultDatabase, local.project)
    default_location = local.location
    schema_suffix    = try(jsondecode(local.places[each.value[0].place]).overrides.schemaSuffix, null)
    table_prefix     = try(jsondecode(local.places[each.value[0].place]).overrides.tablePrefix, null)
    vars             = each.value[0].vars
  }
}

resource "google_dataform_repository_workflow_config" "updater" {
  for_each       = local.runs
  provider       = google-beta
  project        = local.project
  region         = local.schedule.region
  repository     = google_dataform_repository.updater[0].name
  name           = each.key
  release_config = google_dataform_repository_release_config.updater[each.value.release].id
  cron_schedule  = local.starts_runs ? each.value.cron : null
  time_zone      = local.time_zone

  invocation_config {
    service_account = google_service_account.updater.email
    included_tags   = each.value.tags
  }

  depends_on = [google_service_account_iam_member.dataform]
}
