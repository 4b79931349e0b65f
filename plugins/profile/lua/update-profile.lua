-- Change a user's display name and choices, field by field.
-- KEYS[1] user · KEYS[2] choices · KEYS[3] provider keys · KEYS[4] avatar · KEYS[5] events · KEYS[6] audit
-- KEYS[7] search terms of users, with a display name
-- ARGV[1] JSON {displayName?, terms?, revision?, id, set: [field, value, …], remove: [field, …], events, audit}
-- Returns as read-profile; {0} user not in standing, {-1} another revision: that is the user's and the choices' in sum
-- @include now
-- @include outbox
-- @include terms
local change = cjson.decode(ARGV[1])
local active, revision = unpack(redis.call('HMGET', KEYS[1], 'isActive', 'revision'))
if active ~= '1' then return { 0 } end
local current = revision + (redis.call('HGET', KEYS[2], 'revision') or 0)
if change.revision and change.revision ~= current then return { -1 } end

local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'updatedAt', time)
if change.displayName then
    redis.call('HSET', KEYS[1], 'displayName', change.displayName)
    redis.call('HINCRBY', KEYS[1], 'revision', 1)
    change_terms(KEYS[1], KEYS[7], change.id, change.terms)
end
redis.call('HINCRBY', KEYS[2], 'revision', 1)
if #change.set > 0 then redis.call('HSET', KEYS[2], unpack(change.set)) end
if #change.remove > 0 then redis.call('HDEL', KEYS[2], unpack(change.remove)) end
append_entries(KEYS[5], KEYS[6], change, at)

local avatar = redis.call('HMGET', KEYS[4], 'contentType', 'size', 'updatedAt')
return { 1, redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]), avatar }
