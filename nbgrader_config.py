"""nbgrader's settings: plain `nbgrader` and formgrader work from this folder."""

from pathlib import Path

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import GetGrades

from grader.export import QuotedCsvExporter
from grader.feedback import HideHiddenTests

c = get_config()  # noqa: F821 (traitlets puts it here)

c.CourseDirectory.course_id = "ml-engineering"
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "labs"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.feedback_directory = "feedback"
exchange = Path.home() / ".local" / "share" / "nbgrader" / "exchange"
exchange.mkdir(parents=True, exist_ok=True)  # nbgrader complains at each start where it is missing
c.Exchange.root = str(exchange)

# Our marker for what only a person who grades may read.
c.ClearMarkScheme.begin_mark_scheme_delimeter = "BEGIN RUBRIC"
c.ClearMarkScheme.end_mark_scheme_delimeter = "END RUBRIC"
c.ClearMarkScheme.enforce_metadata = False

c.Execute.timeout = 60
c.Execute.extra_arguments = ["--IPKernelApp.log_level=ERROR"]
c.OverwriteCells.add_missing_cells = True
c.GenerateFeedback.preprocessors = [GetGrades, HideHiddenTests, CSSHTMLHeaderPreprocessor]
c.ExportApp.plugin_class = QuotedCsvExporter
