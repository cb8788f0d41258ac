-- What takes a database from 0.2.0 to 0.3.0.  A part that is new as a whole is
-- taken in with \include; what 0.2.0 had and 0.3.0 changes is written out here,
-- and in its part.  test/t/190_update.pl compares the outcome with a database
-- made anew, object by object.

ALTER TABLE mren.run RENAME COLUMN gate_rows TO holdout_rows;
ALTER TABLE mren.run RENAME COLUMN gate_seen TO holdout_seen;
