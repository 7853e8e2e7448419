"""One tree of errors. A message says what, the value, and what would be right.

AsiArchError
├── UserError            the user can mend it; exit code 2
│   ├── ProfileError     a profile that can't be read or contradicts itself
│   ├── DataError        a corpus that can't be read, is empty or has changed
│   ├── CandidateError   a candidate file that can't be used at all (missing, not text)
│   ├── PaperError       a paper or an entry of the cognition base that can't be used
│   ├── ArchiveError     files of a campaign by others that can't be read as what they are said to be
│   └── StoreError       the state folder is unwritable, full, foreign or held by another controller
│       ├── StoreLocked
│       ├── StoreFull
│       └── StoreMismatch
├── MindError            a question to a language model that got no usable answer; its kinds are in `domain.minds`
└── LabError             our own machinery failed: retried, never scored

A candidate's failure is not an error but a value: `asi_arch.domain.outcome.Outcome`.
"""


class AsiArchError(Exception):
    """Everything that this program raises on purpose."""


class UserError(AsiArchError):
    """Something the user can mend."""


class ProfileError(UserError):
    """A profile that can't be read or contradicts itself."""


class DataError(UserError):
    """A corpus that can't be read, is empty or has changed."""


class CandidateError(UserError):
    """A candidate file that can't be used at all."""


class PaperError(UserError):
    """A paper or an entry of the cognition base that can't be used."""


class ArchiveError(UserError):
    """Files of a campaign by others that can't be read as what they are said to be."""


class StoreError(UserError):
    """The state folder can't be used as asked."""


class StoreLocked(StoreError):
    """Another controller owns the state folder."""


class StoreFull(StoreError):
    """No space is left for the state folder."""


class StoreMismatch(StoreError):
    """The state folder belongs to another profile, data set, seed or schema."""


class LabError(AsiArchError):
    """Our own machinery failed; the candidate is not to blame."""
