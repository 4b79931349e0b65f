-- Delete a schedule.
-- KEYS[1] schedule · KEYS[2] events · KEYS[3] audit · KEYS[4] schedules by their next time · KEYS[5] schedules by creation
-- ARGV[1] JSON {id, revision?, events, audit}
-- Returns 1 deleted, 0 not found, -1 another revision
-- @include now
-- @include outbox
-- @include guard
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return allowed end
redis.call('UNLINK', KEYS[1])
redis.call('ZREM', KEYS[4], change.id)
redis.call('ZREM', KEYS[5], change.id)
append_entries(KEYS[2], KEYS[3], change, now())
return 1
