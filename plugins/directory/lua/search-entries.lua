-- One page of the members with a search term that begins so; see terms-page. The entries of a tenant are at KEYS[2]
-- followed by its id.
-- KEYS[1] search terms (zset of "<term>\0<tenant id>:<account>") · KEYS[2] what the keys of entries begin with
-- ARGV[1] beginning of the term · ARGV[2] last one seen, or '' · ARGV[3] limit
-- Returns {more (0 | 1), last one that was looked at, member, …}
-- @include terms-page
local function terms_of(member)
    local tenant, account = member:match('^([^:]+):(.+)$')
    local entry = redis.call('HGET', KEYS[2] .. tenant, account)
    return entry and cjson.decode(entry).terms or nil
end

return terms_page(KEYS[1], ARGV, terms_of, function(member) return member end)
