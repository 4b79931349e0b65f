-- Have a tunnel wait for its agent.
-- KEYS[1] tunnel · KEYS[2] events · KEYS[3] audit · KEYS[4] activity
-- ARGV[1] JSON {id, ownerField, ownerId, events, audit, userId}
-- Returns {1, {field, value, …}} the whole tunnel, {0} not found, {-2, status} not from that status
-- @include now
-- @include outbox
-- @include guard
-- @include tunnel-status
local change = cjson.decode(ARGV[1])
if guard(KEYS[1], change) ~= 1 then return { 0 } end
local status = redis.call('HGET', KEYS[1], 'status')
if not may_become(status, 'connecting') then return { -2, status } end

local at = now()
redis.call('HSET', KEYS[1], 'desired', 'running')
redis.call('HDEL', KEYS[1], 'reason')
become(KEYS, 'connecting', { 'userId', change.userId }, at)
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
