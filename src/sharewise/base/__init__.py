"""Floor 0: what every room stands on."""

from .errors import DataError as DataError
from .errors import FolderError as FolderError
from .errors import JobError as JobError
from .errors import MissingPackageError as MissingPackageError
from .errors import NotFittedError as NotFittedError
from .errors import SharewiseError as SharewiseError
from .errors import UnknownNameError as UnknownNameError
from .errors import UsageError as UsageError
