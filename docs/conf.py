"""Settings of the documentation site: ``sphinx-build -W docs docs/_build/html`` makes it."""

import os
import sys
from importlib.metadata import distribution
from pathlib import Path

import fbmsde

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))
os.environ.pop("MPLBACKEND", None)  # notebooks show figures in the page, whatever is said elsewhere

project = "fbmsde"
author = copyright = "The fbmsde developers"
release = version = fbmsde.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "myst_nb",
    "docstrings",
    "escape_page",
    "public_names",
    "registries",
]
exclude_patterns = ["_build", "_ext", "_templates", "gallery/GALLERY_HEADER.rst", "**/*.ipynb", "gallery/*.py"]
templates_path = ["_templates"]
default_role = "py:obj"
suppress_warnings = ["toc.no_title"]  # of the tables in sgd/, which a command writes

# What a page shows of the API: docstrings as they stand, signatures without the types that the text explains.
autosummary_generate = True
autosummary_imported_members = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
add_module_names = False

# Pages are Markdown. Those with {code-cell} blocks are notebooks, which run when their text has changed.
myst_enable_extensions = ["amsmath", "attrs_block", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True

# Scripts of the gallery run from the folder of examples and show what they print and draw.
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "copyfile_regex": r".*\.toml",
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "within_subsection_order": "FileNameSortKey",
}

# The page. Everything that it loads lies beside it, MathJax too, so that it works without a network.
_MATHJAX = "static/mathjax/tex-svg.js"
_vendored = next(f for f in distribution("sphinx-mathjax-offline").files or () if str(f).endswith(_MATHJAX))
html_theme = "pydata_sphinx_theme"
html_title = f"fbmsde {release}"
html_static_path = ["_static", str(_vendored.locate())]
mathjax_path = "tex-svg.js"
html_favicon = "_static/icon.svg"
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "fbmsde"},
    "navbar_align": "left",
    "header_links_before_dropdown": 8,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}
_WHOLE = "index choosing explore findings right fast fast_suite command_line extending citing changelog"
html_sidebars = {page: [] for page in _WHOLE.split()}
html_context = {"default_mode": "auto"}


def setup(app):
    """Leave the modules that have no source out of the index of sources, and have one page link to a source.

    The links back from a source lead to one module only. A name of both `fbmsde` and `fbmsde.theory` has its there, and
    a record beside a public name has none.
    """
    faces = (fbmsde, fbmsde.theory, fbmsde.plots)
    shared = {getattr(getattr(face, name), "__module__", "") for face in faces for name in face.__all__}

    def follow(app, modname, name):
        return "fbmsde" if modname in shared or (modname == "fbmsde" and hasattr(fbmsde.theory, name)) else None

    def drop(app):
        found = getattr(app.env, "_viewcode_modules", {})
        for name in [name for name, entry in found.items() if not entry]:
            del found[name]
        return []

    app.connect("viewcode-follow-imported", follow)
    app.connect("html-collect-pages", drop, priority=400)
