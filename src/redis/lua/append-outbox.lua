-- Append events and audit entries.
-- KEYS[1] events · KEYS[2] audit
-- ARGV[1] JSON {events, audit}
-- @include now
-- @include outbox
append_entries(KEYS[1], KEYS[2], cjson.decode(ARGV[1]), now())
