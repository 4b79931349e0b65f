-- Give a VM another name.
-- KEYS[1] VM · KEYS[2] events · KEYS[3] audit · KEYS[4] the project's VMs by name, in lower case
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, name, events, audit}
-- Returns {1, {field, value, …}} the whole VM, {0} not found, {-1} another revision, {-2} the name is taken
-- @include now
-- @include outbox
-- @include guard
-- @include rename
-- @include vm-status
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

if not rename(KEYS[1], KEYS[4], change.id, change.name) then return { -2 } end
local at = now()
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
