"""DAGs for Cloud Composer or Airflow, one a run: each starts a workflow configuration of managed Dataform that `npm run schedule` makes.

Write "startedBy": "others" into schedule.json, or Dataform starts the runs too. Then put this file into the folder of DAGs, with schedule.json,
entities.json and includes/usual-runs.json beside it. Needs apache-airflow-providers-google. The three names are Airflow variables.
"""

import datetime
import json
import pathlib

import pendulum
from airflow import DAG
from airflow.providers.google.cloud.operators.dataform import DataformCreateWorkflowInvocationOperator

PROJECT = "{{ var.value.user_info_project }}"
REGION = "{{ var.value.user_info_region }}"
REPOSITORY = "{{ var.value.user_info_repository }}"


def read(name):
    return json.loads(pathlib.Path(__file__).with_name(name).read_text())


SCHEDULE = read("schedule.json")
ENVIRONMENTS = read("entities.json").get("environments", {})
RUNS = SCHEDULE.get("runs") or read("usual-runs.json")["runs"]
# The runs of the project's own place, and of the environments that schedule.json names, by their workflows.
WORKFLOWS = {run["name"]: run for run in RUNS}
for environment, own in SCHEDULE.get("environments", {}).items():
    if environment not in ENVIRONMENTS:
        known = ", ".join(sorted(ENVIRONMENTS)) or "none"
        raise ValueError(f"schedule.json: entities.json has no environment {environment}; there are {known}")
    only_reads = ENVIRONMENTS[environment].keys() & {"schemaSuffix", "tablePrefix"}
    for run in own.get("runs") or RUNS:
        # An environment that only reads the updates erases none.
        if not (only_reads and "erase" in run.get("tags", [])):
            WORKFLOWS[f"{environment}-{run['name']}"] = run

for workflow, run in WORKFLOWS.items():
    with DAG(
        dag_id=f"user_info_{workflow}",
        schedule=run["cron"],
        # Its time zone is that of the cron schedule: https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/timezone.html
        start_date=pendulum.datetime(2026, 1, 1, tz=SCHEDULE.get("timeZone", "Etc/UTC")),
        catchup=False,
        # Runs that overlap are safe, but the later one would only do the same work twice.
        max_active_runs=1,
        default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=1)},
    ) as dag:
        DataformCreateWorkflowInvocationOperator(
            task_id=workflow,
            project_id=PROJECT,
            region=REGION,
            repository_id=REPOSITORY,
            workflow_invocation={
                "workflow_config": f"projects/{PROJECT}/locations/{REGION}/repositories/{REPOSITORY}/workflowConfigs/{workflow}"
            },
        )
    # Airflow finds the DAGs among the module's names.
    globals()[dag.dag_id] = dag
