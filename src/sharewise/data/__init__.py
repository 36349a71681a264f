"""Floor 2: tables, the tasks in them and why, arrays to learn from, splits, and what is wrong with the data."""

from .answers import format_predictions as format_predictions
from .answers import format_probabilities as format_probabilities
from .doctor import Finding as Finding
from .doctor import examine as examine
from .encoder import Encoder as Encoder
from .encoder import Input as Input
from .groups import group_codes as group_codes
from .infer import infer_tasks as infer_tasks
from .long import wanted_rows as wanted_rows
from .order import without_false_order as without_false_order
from .parse_kind import parse_kind as parse_kind
from .sources import as_table as as_table
from .sources import read_table as read_table
from .sources import write_table as write_table
from .split import split_folds as split_folds
from .split import split_test as split_test
from .targets import encode_targets as encode_targets
