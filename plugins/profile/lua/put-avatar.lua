-- Keep a user's avatar.
-- KEYS[1] user · KEYS[2] choices · KEYS[3] avatar · KEYS[4] events · KEYS[5] audit
-- ARGV[1] JSON {events, audit} · ARGV[2] content type · ARGV[3] digest · ARGV[4] the image
-- Returns the time, or 0 when the user is not in standing
-- @include now
-- @include outbox
if redis.call('HGET', KEYS[1], 'isActive') ~= '1' then return 0 end
local at = now()
local size, time = #ARGV[4], string.format('%d', at)
redis.call('HSET', KEYS[3], 'contentType', ARGV[2], 'digest', ARGV[3], 'size', size, 'updatedAt', time, 'bytes', ARGV[4])
redis.call('HINCRBY', KEYS[2], 'revision', 1)
append_entries(KEYS[4], KEYS[5], cjson.decode(ARGV[1]), at)
return at
