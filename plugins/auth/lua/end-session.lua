-- End a session and refuse its access token for the rest of the token's life.
-- KEYS[1] session · KEYS[2] the user's sessions · KEYS[3] events · KEYS[4] audit · KEYS[5] revoked token, if there is one
-- ARGV[1] session id · ARGV[2] expiry of the token in milliseconds since the epoch · ARGV[3] JSON {events, audit}
-- Returns 1 ended, 0 it was over before
-- @include now
-- @include outbox
if KEYS[5] then redis.call('SET', KEYS[5], '1', 'PXAT', ARGV[2]) end
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('UNLINK', KEYS[1]) == 0 then return 0 end
append_entries(KEYS[3], KEYS[4], cjson.decode(ARGV[3]), now())
return 1
