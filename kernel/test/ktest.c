#include <abi/stubs.h>
void root_main(void);
static void putch(char c){ pith_io_out(BOOT_PORTS,0x3f8,1,(unsigned char)c);} 
void root_main(void){ for(const char*s="hello from root\n";*s;s++) putch(*s); pith_io_out(BOOT_PORTS,0x501,1,0); for(;;); }
