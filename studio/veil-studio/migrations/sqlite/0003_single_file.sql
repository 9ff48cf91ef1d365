-- Whether each rendition is one object. Titles that were imported before this was noted count as having one a segment.
ALTER TABLE title ADD COLUMN single_file INTEGER NOT NULL DEFAULT 0;
