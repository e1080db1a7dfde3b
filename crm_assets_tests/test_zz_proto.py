import subprocess, os, time, threading
from crm_assets_tests.fixtures.command import *
def test_it(crm_download):
    r, w = os.pipe()
    x = subprocess.Popen(["Xvfb","-displayfd",str(w),"-screen","0","1600x1200x24","-nolisten","tcp"],pass_fds=(w,),stderr=subprocess.DEVNULL)
    n = os.read(r,20).decode().strip()
    d = f":{n}"
    env={**os.environ,"DISPLAY":d}
    shot=lambda name: subprocess.run(["import","-window","root",f"/tmp/proto/{name}.png"],env=env)
    crm_download.sandbox.fault("otp")
    with crm_download.started("bootstrap","--crm","td","--store","a668",DISPLAY=d) as p:
        for _ in range(100):
            got=subprocess.run(["xdotool","search","--name","Login - Quick"],env=env,capture_output=True,text=True).stdout.split()
            if got: break
            time.sleep(.2)
        print("win",got)
        time.sleep(3)
        shot("1_login")
        print(subprocess.run(["xdotool","getwindowgeometry",got[-1]],env=env,capture_output=True,text=True).stdout)
        print(subprocess.run(["xdotool","key","Return"],env=env,capture_output=True,text=True))
        time.sleep(2); shot("2_after_key"); print(crm_download.sandbox.log.counts())
        subprocess.run(["xdotool","windowfocus","--sync",got[-1]],env=env)
        subprocess.run(["xdotool","key","Return"],env=env)
        time.sleep(3); shot("3_after_focus"); print(crm_download.sandbox.log.counts())
        c=crm_download.sandbox.otp_code("td/a668")
        subprocess.run(["xdotool","type",c],env=env)
        time.sleep(1); shot("4_typed")
        subprocess.run(["xdotool","key","Return"],env=env)
        out,err=p.communicate(timeout=60)
        print(p.returncode,out,err)
    x.terminate(); x.wait(); os.close(r); os.close(w)
