-- Note what a request saw of a member, and have the status follow.
-- KEYS[1] proxy · KEYS[2] events · KEYS[3] audit · KEYS[4] health · KEYS[5] changes of its status
-- ARGV[1] JSON {tunnelId, isSuccess, latencyMs, error?}
-- Returns 1 noted, 2 noted and no member is healthy any more, 0 the proxy does not run, or that is no member
-- @include now
-- @include outbox
-- @include proxy-status
-- @include member-health
local seen = cjson.decode(ARGV[1])
local status = redis.call('HGET', KEYS[1], 'status')
if not status or not RUNS[status] or not is_member(KEYS[1], seen.tunnelId) then return 0 end
local at = now()
see(KEYS[4], seen, at, false)
return settle(KEYS, at) == 'error' and status ~= 'error' and 2 or 1
