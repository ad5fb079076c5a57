"""Links to files that are not pages: on the site they lead to the repository.

MyST makes a download of a link to a file that exists, and complains of one that does not. So what
is missing fails the build, and only the address is left to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.addnodes import download_reference
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


class RepositoryLinks(SphinxTransform):
    """Runs before the files to download are collected."""

    default_priority = 400

    def apply(self, **unused: object) -> None:
        """Replace each of them."""
        del unused
        for link in list(self.document.findall(download_reference)):
            _, found = self.env.relfn2path(link["reftarget"], self.env.docname)
            path = Path(found).relative_to(self.env.srcdir).as_posix()
            address = f"{self.config.repository}/blob/main/{path}"
            link.replace_self(nodes.reference("", "", *link.children, refuri=address))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Called by Sphinx."""
    app.add_transform(RepositoryLinks)
    return {"parallel_read_safe": True}
