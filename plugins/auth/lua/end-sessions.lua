-- End sessions of a user: one, or all but one.
-- KEYS[1] the user's sessions · KEYS[2] what session keys begin with · KEYS[3] events · KEYS[4] audit
-- ARGV[1] the only session to end, or '' for all · ARGV[2] the session to keep, or '' · ARGV[3] JSON {userId, audit}
-- Returns how many were ended
-- @include now
-- @include outbox
-- @include end-sessions
local ids = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local wanted = ARGV[1] == '' or id == ARGV[1]
    if wanted and id ~= ARGV[2] then ids[#ids + 1] = id end
end
return end_sessions(KEYS[1], KEYS[2], ids, cjson.decode(ARGV[3]), KEYS[3], KEYS[4], now())
