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

variable "git_url" {
  description = "The HTTPS address of this project's git repository, for scheduled Dataform workflows; null without them."
  type        = string
  default     = null
}

variable "git_branch" {
  description = "The branch that the workflows run."
  type        = string
  default     = "main"
}

variable "git_token_secret" {
  description = "The Secret Manager secret, in the same project, that holds a token to read the git repository."
  type        = string
  default     = null
}

variable "region" {
  description = "The region of the Dataform repository, such as europe-west1; needed with git_url."
  type        = string
  default     = null
}

variable "compile_schedule" {
  description = "When the branch is compiled for the workflows, as a cron schedule in UTC: shortly before they run."
  type        = string
  default     = "0 * * * *"
}

variable "schedule" {
  description = "When the workflows run, as a cron schedule in UTC."
  type        = string
  default     = "7 * * * *"
}
