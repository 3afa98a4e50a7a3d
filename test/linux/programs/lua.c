/* SPDX-License-Identifier: MIT */
/* lua: Debian's Lua library in a static program: runs the script named by its argument. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    lua_State *lua = luaL_newstate();
    int status;

    if (!lua || count < 2)
        return 2;
    luaL_openlibs(lua);
    status = luaL_dofile(lua, arguments[1]);
    if (status != LUA_OK)
        fprintf(stderr, "lua: %s\n", lua_tostring(lua, -1));
    lua_close(lua);
    return status == LUA_OK ? 0 : 1;
}
