-- Give a proxy so many replicas; as many as it has is no change.
-- KEYS[1] proxy · KEYS[2] events · KEYS[3] audit · KEYS[4] health · KEYS[5] changes of its status · KEYS[6] tenant
-- ARGV[1] JSON {id, ownerField, ownerId, replicas, most, events, audit}; the tenant's own figure goes before `most`
-- Returns {1, {field, value, …}} the whole proxy, {0} not found, {-3, most} so many are allowed
-- @include now
-- @include outbox
-- @include guard
-- @include quota
-- @include proxy-status
local change = cjson.decode(ARGV[1])
if guard(KEYS[1], change) ~= 1 then return { 0 } end
local most = quota_of(redis.call('HGET', KEYS[6], 'limits'), 'replicasPerProxy', change.most)
if most and change.replicas > most then return { -3, most } end

local from = tonumber(redis.call('HGET', KEYS[1], 'replicas'))
if from ~= change.replicas then
    local at = now()
    redis.call('HSET', KEYS[1], 'replicas', change.replicas)
    redis.call('HDEL', KEYS[1], 'highSince', 'lowSince')
    touch(KEYS[1], at)
    tell(KEYS, 'scaled', { from = from, to = change.replicas, reason = 'request' }, at)
    append_entries(KEYS[2], KEYS[3], change, at)
end
return { 1, redis.call('HGETALL', KEYS[1]) }
