-- Where titles lie. `store` is a store's URL, or empty for the data folder's own bucket. A copy is 'writing' until its last object is
-- in place, 'ready' while viewers may be sent there, 'removing' until its objects are gone, and 'emptied' while only the records of
-- ended grants are left of it.
CREATE TABLE title_copy (
    title_id TEXT NOT NULL,
    store    TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('writing', 'ready', 'removing', 'emptied')),
    PRIMARY KEY (title_id, store)
) STRICT;

INSERT INTO title_copy (title_id, store, state)
SELECT id, '', CASE state WHEN 'importing' THEN 'writing' ELSE state END FROM title;

INSERT INTO title_copy (title_id, store, state)
SELECT DISTINCT title_id, '', 'emptied' FROM viewer_grant WHERE title_id NOT IN (SELECT id FROM title);
