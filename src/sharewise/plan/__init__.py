"""Floor 4: who learns with whom: plans, candidates, the choice per task, and the Learner that does the main job."""

from .grouped import Grouped as Grouped
from .learner import Learner as Learner
from .learner import load as load
from .plan import Group as Group
from .plan import Plan as Plan
from .pool import Progress as Progress
from .relating import find_relations as find_relations
from .relations import Relations as Relations
