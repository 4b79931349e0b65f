-- One page of the users with a search term that begins so; see terms-page. The user keys are KEYS[2] followed by an id:
-- the same tenant, the same slot.
-- KEYS[1] search terms (zset of "<term>\0<user id>") · KEYS[2] what the user keys begin with
-- ARGV[1] beginning of the term · ARGV[2] last member seen, or '' · ARGV[3] limit
-- Returns {more (0 | 1), last member that was looked at, {field, value, …}, …}
-- @include terms-page
local function terms_of(id)
    local by_field = redis.call('HGET', KEYS[2] .. id, 'terms')
    if not by_field then return nil end
    local terms = {}
    for _, list in pairs(cjson.decode(by_field)) do
        for _, term in ipairs(list) do terms[#terms + 1] = term end
    end
    return terms
end

return terms_page(KEYS[1], ARGV, terms_of, function(id) return redis.call('HGETALL', KEYS[2] .. id) end)
