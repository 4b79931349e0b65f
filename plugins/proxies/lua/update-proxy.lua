-- Change a proxy. What is known of tunnels that are no members any more is forgotten, and the status follows.
-- KEYS[1] proxy · KEYS[2] events · KEYS[3] audit · KEYS[4] health · KEYS[5] changes of its status
-- KEYS[6] the user's proxies by name, in lower case
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, name?, members?, strategy?, defaults?, config, events, audit}
--               `defaults`: what the configuration goes back to, before what `config` names
-- Returns {1, {field, value, …}} the whole proxy, {0} not found, {-1} another revision, {-2} the name is taken
-- @include now
-- @include outbox
-- @include guard
-- @include rename
-- @include configure
-- @include proxy-status
-- @include member-health
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

if change.name and not rename(KEYS[1], KEYS[6], change.id, change.name) then return { -2 } end
if change.strategy then redis.call('HSET', KEYS[1], 'strategy', change.strategy) end
configure(KEYS[1], change.defaults, change.config)
if change.members then
    redis.call('HSET', KEYS[1], 'members', cjson.encode(change.members))
    for _, tunnel in ipairs(redis.call('HKEYS', KEYS[4])) do
        if not is_member(KEYS[1], tunnel) then redis.call('HDEL', KEYS[4], tunnel) end
    end
end
local at = now()
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], change, at)
settle(KEYS, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
