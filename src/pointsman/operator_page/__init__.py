"""The operator's page at /ui: what is going on, why, and the same things to do as the commands.

It asks the store, and changes it by `operations` alone, as the commands do. The pages are HTML that
works without JavaScript; what there is of that only keeps the numbers of the home page live.
"""

from pointsman.operator_page.making import make_operator_page, shown_sources
from pointsman.operator_page.page import OperatorPage
from pointsman.operator_page.tally import Tally

__all__ = ["OperatorPage", "Tally", "make_operator_page", "shown_sources"]
