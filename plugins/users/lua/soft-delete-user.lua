-- Take a user out of service: no login, no session, no provider key; the record stays to be restored.
-- KEYS[1] user · KEYS[2] events · KEYS[3] audit · then what is destroyed at once
-- ARGV[1] JSON {events, audit}
-- Returns 1 deleted, 0 no such user, or deleted before
-- @include now
-- @include outbox
local exists, deleted = unpack(redis.call('HMGET', KEYS[1], 'id', 'deletedAt'))
if not exists or deleted then return 0 end
local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'isActive', '0', 'deletedAt', time, 'epoch', string.format('%d', at + 1), 'updatedAt', time)
redis.call('HDEL', KEYS[1], 'providerKeys')
redis.call('HINCRBY', KEYS[1], 'revision', 1)
for n = 4, #KEYS do redis.call('UNLINK', KEYS[n]) end
append_entries(KEYS[2], KEYS[3], cjson.decode(ARGV[1]), at)
return 1
