"""Configuration formats: a parser finds spans, an edit is a list of splices over the original bytes.

So only the intended bytes change, whatever the line endings, comments, byte order mark or encoding.
"""
