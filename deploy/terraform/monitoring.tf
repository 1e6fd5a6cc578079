# Who is told when something is wrong: only where alert_emails says whom.

locals {
  alerts  = length(var.alert_emails) == 0 ? 0 : 1
  account = google_service_account.updater.email

  # A job of the updater that failed, however it was started. Runs that lost against another one retry, so one failure is none yet.
  # Job events of BigQuery's audit log: https://cloud.google.com/bigquery/docs/reference/auditlogs
  failed_jobs = <<-EOT
    resource.type="bigquery_project"
    protoPayload.authenticationInfo.principalEmail="${local.account}"
    protoPayload.metadata.jobChange.job.jobStatus.jobState="DONE"
    protoPayload.metadata.jobChange.job.jobStatus.errorResult.code>0
  EOT

  # A job of the updater that ended well.
  done_jobs = <<-EOT
    resource.type="bigquery_project"
    protoPayload.authenticationInfo.principalEmail="${local.account}"
    protoPayload.metadata.jobChange.job.jobStatus.jobState="DONE"
    NOT protoPayload.metadata.jobChange.job.jobStatus.errorResult.code>0
  EOT

  # A run of managed Dataform that did not succeed; a failed assertion, such as bad rows, is one.
  # https://cloud.google.com/dataform/docs/monitor-workflows
  failed_workflows = <<-EOT
    resource.type="dataform.googleapis.com/Repository"
    jsonPayload.@type="type.googleapis.com/google.cloud.dataform.logging.v1.WorkflowInvocationCompletionLogEntry"
    jsonPayload.terminalState="FAILED"
  EOT

  metrics = local.alerts == 0 ? {} : {
    failed_jobs      = { filter = local.failed_jobs, description = "BigQuery jobs of the updater that failed." }
    done_jobs        = { filter = local.done_jobs, description = "BigQuery jobs of the updater that ended well." }
    failed_workflows = { filter = local.failed_workflows, description = "Runs of managed Dataform that failed." }
  }
}

resource "google_logging_metric" "metrics" {
  for_each    = local.metrics
  project     = local.project
  name        = "user_info_updater/${each.key}"
  description = each.value.description
  filter      = each.value.filter

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.services]
}

resource "google_monitoring_notification_channel" "email" {
  for_each     = var.alert_emails
  project      = local.project
  display_name = "user-info updater: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }

  depends_on = [google_project_service.services]
}

resource "google_monitoring_alert_policy" "failing" {
  count                 = local.alerts
  project               = local.project
  display_name          = "user-info updater: runs fail"
  combiner              = "OR"
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.name]

  conditions {
    display_name = "Several jobs failed within an hour"
    condition_threshold {
      filter          = "resource.type = \"bigquery_project\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.metrics["failed_jobs"].name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 3
      duration        = "0s"
      aggregations {
        alignment_period     = "3600s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  conditions {
    display_name = "A run of managed Dataform failed"
    condition_threshold {
      filter          = "resource.type = \"dataform.googleapis.com/Repository\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.metrics["failed_workflows"].name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "3600s"
        per_series_aligner = "ALIGN_SUM"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "`npm run status` says what is wrong; docs/operate.md says what to do about it."
  }
}

resource "google_monitoring_alert_policy" "stopped" {
  count                 = local.alerts
  project               = local.project
  display_name          = "user-info updater: no run"
  combiner              = "OR"
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.name]

  conditions {
    display_name = "No job ended well for ${var.alert_after}"
    # A condition of absence sees 23 and a half hours at most, and so no run that comes once a day; PromQL sees two years:
    # https://cloud.google.com/monitoring/alerts/using-promql. The metric's name is mapped: https://cloud.google.com/monitoring/promql/promql-mapping
    condition_prometheus_query_language {
      query               = "absent_over_time(logging_googleapis_com:user_${replace(google_logging_metric.metrics["done_jobs"].name, "/", "_")}{monitored_resource=\"bigquery_project\"}[${var.alert_after}])"
      duration            = "0s"
      evaluation_interval = "300s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Nothing started, or nothing could: look at the schedule first, then at `npm run status`."
  }
}
