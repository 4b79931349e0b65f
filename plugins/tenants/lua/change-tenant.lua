-- Suspend, activate, delete (softly), restore or update a tenant.
-- KEYS[1] tenant · KEYS[2] events · KEYS[3] audit
-- ARGV[1] JSON {kind: suspend | activate | delete | restore | update, id, reason?, lifetime, events, audit; of an update
--               revision, set: [field, value, …], remove: [field, …], before?: when the claim of a domain is over}
-- Returns {1, {field, value, …}} the whole tenant, {0} not found, {-1} deleted, {-2} not deleted or not restorable,
--         {-3} another revision, {-4} the claim is over
-- @include now
-- @include outbox
-- @include guard
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed == 0 and 0 or -3 } end
local deleted, suspended = unpack(redis.call('HMGET', KEYS[1], 'deletedAt', 'suspendedReason'))
local at = now()
local time = string.format('%d', at)
if change.kind == 'restore' then
    if not deleted or at >= deleted + change.lifetime then return { -2 } end
    -- Who was suspended before is so again.
    redis.call('HSET', KEYS[1], 'status', suspended and 'suspended' or 'active')
    redis.call('HDEL', KEYS[1], 'deletedAt')
elseif deleted then
    return { -1 }
elseif change.kind == 'update' then
    if change.before and at >= change.before then return { -4 } end
    if #change.set > 0 then redis.call('HSET', KEYS[1], unpack(change.set)) end
    if #change.remove > 0 then redis.call('HDEL', KEYS[1], unpack(change.remove)) end
elseif change.kind == 'suspend' then
    redis.call('HSET', KEYS[1], 'status', 'suspended', 'suspendedReason', change.reason)
elseif change.kind == 'activate' then
    redis.call('HSET', KEYS[1], 'status', 'active')
    redis.call('HDEL', KEYS[1], 'suspendedReason')
else
    -- A session that began in this very millisecond is over as well.
    redis.call('HSET', KEYS[1], 'status', 'deleted', 'deletedAt', time, 'epoch', string.format('%d', at + 1))
end
redis.call('HSET', KEYS[1], 'updatedAt', time)
redis.call('HINCRBY', KEYS[1], 'revision', 1)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
