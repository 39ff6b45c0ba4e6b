# SPDX-License-Identifier: Apache-2.0
"""Pages to read, for auditors and release managers: HTML from templates, GET and HEAD and nothing else.

``app`` makes the application of ``showing`` (a module for each page: a pure reading of the database, as
values for its template) behind ``guard`` (methods, headers) and ``answering`` (threads of its own, bounds,
timeouts); ``templating`` makes every text of others visible; ``streaming`` tells scripts of what is new.
What the pages read comes by connections of their own: they can be slow, and never slow a ceremony down.
"""
