-- Have a proxy take requests.
-- KEYS[1] proxy · KEYS[2] events · KEYS[3] audit · KEYS[4] health · KEYS[5] changes of its status
-- ARGV[1] JSON {id, ownerField, ownerId, seen, events, audit}; `seen`: what was just seen of its members
-- Returns {1, {field, value, …}} the whole proxy, {0} not found, {-2, status} it runs
-- @include now
-- @include outbox
-- @include guard
-- @include proxy-status
-- @include member-health
-- @include wake-proxy
local change = cjson.decode(ARGV[1])
if guard(KEYS[1], change) ~= 1 then return { 0 } end
local status = redis.call('HGET', KEYS[1], 'status')
if RUNS[status] then return { -2, status } end

local at = now()
wake(KEYS, change.seen, at)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
