variable "project" {
  description = "The Google Cloud project; by default the one that dataform.json names."
  type        = string
  default     = null
}

variable "location" {
  description = "BigQuery's location of the datasets; by default the one that dataform.json names."
  type        = string
  default     = null
}

variable "datasets" {
  description = "The datasets; by default those that dataform.json and entities.json name."
  type        = set(string)
  default     = null
}

variable "time_travel_hours" {
  description = "How long the datasets remember replaced rows, in hours: whole days, 48 to 168. Free under logical billing."
  type        = number
  default     = 168

  validation {
    condition     = contains([48, 72, 96, 120, 144, 168], var.time_travel_hours)
    error_message = "time_travel_hours must be 48, 72, 96, 120, 144 or 168."
  }
}

variable "kubernetes_service_account" {
  description = "The Kubernetes service account that runs updates, as namespace/name; null without Kubernetes."
  type        = string
  default     = null
}

variable "existing_datasets" {
  description = "Datasets that are there already, made by `npm run init`: they are taken over. One in an environment's own project as project.dataset."
  type        = set(string)
  default     = []
}

variable "github_repository" {
  description = "The GitHub repository whose workflows update the tables, as owner/name; null without GitHub."
  type        = string
  default     = null
}

variable "github_branch" {
  description = "The branch whose workflows may do so."
  type        = string
  default     = "main"
}

variable "gitlab_project" {
  description = "The GitLab project whose pipelines update the tables, as group/name; null without GitLab."
  type        = string
  default     = null
}

variable "gitlab_branch" {
  description = "The branch whose pipelines may do so."
  type        = string
  default     = "main"
}

variable "gitlab_url" {
  description = "Where GitLab is."
  type        = string
  default     = "https://gitlab.com"
}

variable "cloud_run" {
  description = "Where Cloud Run jobs run the project's image by Cloud Scheduler, and the images of environments that are of another branch; null without Cloud Run."
  type        = object({ region = string, image = string, images = optional(map(string), {}) })
  default     = null
}

variable "workflows_region" {
  description = "Where Cloud Workflows starts managed Dataform's workflows by Cloud Scheduler; null without Cloud Workflows."
  type        = string
  default     = null
}

variable "composer_service_account" {
  description = "The e-mail address of the Composer or Airflow environment's service account that starts managed Dataform's workflows; null without."
  type        = string
  default     = null
}

variable "alert_emails" {
  description = "Who is told when runs fail or stop; nobody where it is empty."
  type        = set(string)
  default     = []
}

variable "alert_after" {
  description = "After how long without a job that ended well, longer than the time between two runs: whole minutes, in seconds, 120s to 691200s (eight days)."
  type        = string
  default     = "10800s"

  validation {
    condition     = try(tonumber(trimsuffix(var.alert_after, "s")) >= 120 && tonumber(trimsuffix(var.alert_after, "s")) <= 691200 && tonumber(trimsuffix(var.alert_after, "s")) % 60 == 0 && endswith(var.alert_after, "s"), false)
    error_message = "alert_after must be whole minutes in seconds, from 120s to 691200s: three hours are 10800s, 26 hours, where runs come once a day, 93600s."
  }
}
