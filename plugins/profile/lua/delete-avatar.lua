-- Delete a user's avatar.
-- KEYS[1] user · KEYS[2] choices · KEYS[3] avatar · KEYS[4] events · KEYS[5] audit
-- ARGV[1] JSON {events, audit}
-- Returns 1 deleted, 0 there was none
-- @include now
-- @include outbox
if redis.call('UNLINK', KEYS[3]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[2], 'revision', 1)
append_entries(KEYS[4], KEYS[5], cjson.decode(ARGV[1]), now())
return 1
