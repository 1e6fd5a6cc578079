"""A DAG for Cloud Composer or Airflow: runs the workflow configuration "update" of managed Dataform, which `npm run schedule` makes.

Needs apache-airflow-providers-google. The three names are Airflow variables.
"""

import datetime

from airflow import DAG
from airflow.providers.google.cloud.operators.dataform import DataformCreateWorkflowInvocationOperator

PROJECT = "{{ var.value.user_info_project }}"
REGION = "{{ var.value.user_info_region }}"
REPOSITORY = "{{ var.value.user_info_repository }}"

with DAG(
    dag_id="user_info_updater",
    schedule="7 * * * *",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    # Runs that overlap are safe, but the later one would only do the same work twice.
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=1)},
) as dag:
    DataformCreateWorkflowInvocationOperator(
        task_id="update",
        project_id=PROJECT,
        region=REGION,
        repository_id=REPOSITORY,
        workflow_invocation={
            "workflow_config": f"projects/{PROJECT}/locations/{REGION}/repositories/{REPOSITORY}/workflowConfigs/update"
        },
    )
