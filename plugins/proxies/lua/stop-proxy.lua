-- Have a proxy take no requests.
-- KEYS[1] proxy · KEYS[2] events · KEYS[3] audit · KEYS[4] health · KEYS[5] changes of its status
-- ARGV[1] JSON {id, ownerField, ownerId, events, audit}
-- Returns {1, {field, value, …}} the whole proxy, {0} not found, {-2, status} its user has stopped it
-- @include now
-- @include outbox
-- @include guard
-- @include proxy-status
local change = cjson.decode(ARGV[1])
if guard(KEYS[1], change) ~= 1 then return { 0 } end
local status, desired = unpack(redis.call('HMGET', KEYS[1], 'status', 'desired'))
if status == 'stopped' and desired == 'stopped' then return { -2, status } end

local at = now()
redis.call('HSET', KEYS[1], 'desired', 'stopped')
if status == 'stopped' then
    -- It was idle, and from now on the next request does not start it.
    redis.call('HSET', KEYS[1], 'reason', 'stopped')
    touch(KEYS[1], at)
else
    become(KEYS, 'stopped', 'stopped', at)
end
redis.call('DEL', KEYS[4])
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
