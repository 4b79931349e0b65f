-- Change fields of a backup that is in one of some states.
-- KEYS[1] backup · KEYS[2] events · KEYS[3] audit
-- ARGV[1] JSON {states: {state: true}, set: [field, value, …], events, audit}
-- Returns {1, {field, value, …}} the whole backup, {0} there is none, {-1, state} it is in another state
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'deleting' then return { 0 } end
if not change.states[state] then return { -1, state } end
local at = now()
redis.call('HSET', KEYS[1], 'updatedAt', string.format('%d', at), unpack(change.set))
redis.call('HINCRBY', KEYS[1], 'revision', 1)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
