"""From features to scored lines: grades, evidence, look-alikes, lists, reasons."""

from simbox.scoring.external import Imported, import_features
from simbox.scoring.feature_table import FeatureTable
from simbox.scoring.grades import Knots
from simbox.scoring.lines import Scored, score_file, score_frame, score_nothing
from simbox.scoring.lists import NO_LISTS, ListEntries, load_lists
from simbox.scoring.lookalikes import LOOKALIKES, Lookalike
from simbox.scoring.reasons import explain
from simbox.scoring.scorecard import Part, Scorecard, scorecard
from simbox.scoring.verdicts import STATUSES

__all__ = [
    "LOOKALIKES",
    "NO_LISTS",
    "STATUSES",
    "FeatureTable",
    "Imported",
    "Knots",
    "ListEntries",
    "Lookalike",
    "Part",
    "Scorecard",
    "Scored",
    "explain",
    "import_features",
    "load_lists",
    "score_file",
    "score_frame",
    "score_nothing",
    "scorecard",
]
