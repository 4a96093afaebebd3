import { distributionUserName } from "../host/system/users.ts";
import { type Context, memberOf } from "../cluster/context.ts";
import { poolersOf } from "../cluster/poolers.ts";
import type { ClusterView } from "../cluster/view.ts";

/** A server that is the former user's still, and the command that moves it. */
interface Former {
  subject: string;
  thing: string;
  sentence: string;
  next: string;
}

/** Members and poolers of a cluster that run as the user of an older Perch. */
export function formerServers(context: Context, view: ClusterView): Former[] {
  const { cluster, members } = view;
  const { place, staying } = context;
  if (place.former === undefined) return [];
  const { app } = cluster;
  const still = `runs as the user ${distributionUserName} still, as an older Perch started it`;
  return [
    ...members.flatMap(({ record: { id }, record }) => {
      if (memberOf(context, cluster, record).place.successor === undefined) return [];
      const why = staying.get(id);
      const [sentence, next] =
        why === undefined
          ? [`machine ${id} ${still}; it moves when it starts next`, `perch postgres restart -a ${app}`]
          : [`machine ${id} ${still}: ${why}`, `perch events -a ${app}`];
      return [{ subject: app, thing: id, sentence, next }];
    }),
    ...poolersOf(view).flatMap(({ id, facts }) =>
      facts.former === true
        ? [
            {
              subject: app,
              thing: `pooler ${id}`,
              sentence: `the pooler ${id} of ${app} ${still}; its clients connect again when it moves`,
              next: `perch postgres pool on -a ${app}`,
            },
          ]
        : [],
    ),
  ];
}
