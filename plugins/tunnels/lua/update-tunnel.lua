-- Change name and configuration of a tunnel.
-- KEYS[1] tunnel · KEYS[2] events · KEYS[3] audit · KEYS[4] activity · KEYS[5] the user's tunnels by name, in lower case
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, name?, defaults?, config, events, audit, userId}
--               `defaults`: what the configuration goes back to, before what `config` names
-- ARGV[2] channel · ARGV[3] message that tells of it
-- Returns {1, {field, value, …}} the whole tunnel, {0} not found, {-1} another revision, {-2} the name is taken
-- @include now
-- @include outbox
-- @include guard
-- @include rename
-- @include configure
-- @include tunnel-status
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

if change.name and not rename(KEYS[1], KEYS[5], change.id, change.name) then return { -2 } end
configure(KEYS[1], change.defaults, change.config)
local at = now()
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], change, at)
note(KEYS[4], 'updated', { 'userId', change.userId })
redis.call('PUBLISH', ARGV[2], ARGV[3])
return { 1, redis.call('HGETALL', KEYS[1]) }
