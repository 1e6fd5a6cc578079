-- disabled: compiled, but not run

create or replace view `my-project.analytics.user_info_audit` as
-- a table of its own finds them: an assertion is a view, and a view's query may have only 256 K characters
SELECT * FROM `my-project.analytics.user_info_audit_findings`

-- the assertion holds when this counts nothing
select sum(1) as row_count from `my-project.analytics.user_info_audit`
