"""What of this package passes through the workflow sandbox. Process code only.

Modules of pure records and nothing else. A record class that is made anew for every run costs milliseconds and a place
in the data converter's cache of types each time, and changes nothing: records have no state of their own.
"""

from typing import Final

RECORD_MODULES: Final = ("workflow_worker.records", "workflow_worker.mailbox")
