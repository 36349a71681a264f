"""How a column becomes numbers to learn from: one file for each sort of column."""

from .boolean import Boolean as Boolean
from .category import Category as Category
from .date import Date as Date
from .feature import Feature as Feature
from .feature import Options as Options
from .labels import Labels as Labels
from .number import Number as Number
from .text import Text as Text
