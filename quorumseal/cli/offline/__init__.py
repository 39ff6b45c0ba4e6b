# SPDX-License-Identifier: Apache-2.0
"""``quorumseal offline …``: a whole ceremony from files while the coordinator is down, and into its log.

``export`` signs a request into a file, ``decide`` reviews that file and signs a decision into another,
``assemble`` makes a bundle of them that no log has, ``import`` hands the same statements in once the
coordinator is up again.
"""

from quorumseal.cli.table import Verb

VERBS = {
    "export": Verb("quorumseal.cli.offline.export", "sign a request into a file"),
    "decide": Verb("quorumseal.cli.offline.decide", "review a request's file, and sign into another"),
    "assemble": Verb("quorumseal.cli.offline.assemble", "make a bundle of them that no log has"),
    "import": Verb("quorumseal.cli.offline.hand_in", "hand what was signed in to the coordinator"),
}
