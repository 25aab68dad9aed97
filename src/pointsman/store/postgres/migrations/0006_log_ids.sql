-- Which log a position counts in (sources/kafka/log_id.py), and the last record that was stored of it;
-- '' where nobody said. Partition -1 is the topic as a whole: next_offset is its number of partitions
-- when the group first came to it.
ALTER TABLE positions ADD COLUMN log_id text NOT NULL DEFAULT '';
ALTER TABLE positions ADD COLUMN last_record text NOT NULL DEFAULT '';
