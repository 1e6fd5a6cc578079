"""DAGs for Cloud Composer or Airflow, one a run: each starts a workflow configuration of managed Dataform that `npm run schedule` makes.

Put it into the folder of DAGs with includes/usual-runs.json beside it, and write "startedBy": "others" into schedule.json, or Dataform starts the runs
too. Needs apache-airflow-providers-google. The three names are Airflow variables.
"""

import datetime
import json
import pathlib

from airflow import DAG
from airflow.providers.google.cloud.operators.dataform import DataformCreateWorkflowInvocationOperator

PROJECT = "{{ var.value.user_info_project }}"
REGION = "{{ var.value.user_info_region }}"
REPOSITORY = "{{ var.value.user_info_repository }}"
# Where schedule.json has runs of its own, put that here instead and write its name.
RUNS = json.loads(pathlib.Path(__file__).with_name("usual-runs.json").read_text())["runs"]

for run in RUNS:
    with DAG(
        dag_id=f"user_info_{run['name']}",
        schedule=run["cron"],
        start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
        catchup=False,
        # Runs that overlap are safe, but the later one would only do the same work twice.
        max_active_runs=1,
        default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=1)},
    ) as dag:
        DataformCreateWorkflowInvocationOperator(
            task_id=run["name"],
            project_id=PROJECT,
            region=REGION,
            repository_id=REPOSITORY,
            workflow_invocation={
                "workflow_config": f"projects/{PROJECT}/locations/{REGION}/repositories/{REPOSITORY}/workflowConfigs/{run['name']}"
            },
        )
    # Airflow finds the DAGs among the module's names.
    globals()[dag.dag_id] = dag
